package carafe.runtime;

import carafe.kernel.Descriptors;
import carafe.kernel.Fd;
import carafe.kernel.FileStat;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.UserNamespace;
import java.nio.file.Path;
import java.util.Optional;

/// Namespaces by their descriptors, which it owns.
final class LinuxNamespaces implements SharedNamespaces {

    private final UserNamespace users;
    private final Optional<Others> others;

    /// Those that only a process has.
    record Others(Fd processes, Fd ipc) {}

    LinuxNamespaces(UserNamespace users, Optional<Others> others) {
        this.users = users;
        this.others = others;
    }

    /// Those of process `pid`. The caller makes sure that the number is still the process's it means.
    static LinuxNamespaces of(int pid) throws KernelException {
        var users = UserNamespace.of(pid);
        Fd processes = null;
        boolean complete = false;
        try {
            var directory = Path.of("/proc/" + pid + "/ns");
            processes = Descriptors.open(directory.resolve("pid"), Linux.O_RDONLY, 0);
            var ipc = Descriptors.open(directory.resolve("ipc"), Linux.O_RDONLY, 0);
            complete = true;
            return new LinuxNamespaces(users, Optional.of(new Others(processes, ipc)));
        } finally {
            if (!complete) {
                users.close();
                if (processes != null) {
                    processes.close();
                }
            }
        }
    }

    @Override
    public String users() {
        return users.handle().path();
    }

    @Override
    public String network() {
        return users.network().path();
    }

    @Override
    public String processes() {
        return others.orElseThrow().processes.path();
    }

    @Override
    public String ipc() {
        return others.orElseThrow().ipc.path();
    }

    @Override
    public boolean hasUsersOf(SharedNamespaces other) {
        try {
            return other instanceof LinuxNamespaces theirs
                    && identity(users.handle()).equals(identity(theirs.users.handle()));
        } catch (KernelException e) {
            throw new AssertionError("an open namespace can be looked at", e);
        }
    }

    private record Identity(long device, long inode) {}

    private static Identity identity(Fd namespace) throws KernelException {
        FileStat stat = Inodes.stat(namespace);
        return new Identity(stat.deviceId(), stat.inode());
    }

    @Override
    public void close() {
        users.close();
        others.ifPresent(held -> {
            held.processes.close();
            held.ipc.close();
        });
    }
}
