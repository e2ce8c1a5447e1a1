package carafe.runtime;

import carafe.kernel.Cgroup;
import carafe.kernel.Fd;
import carafe.kernel.FileIdentity;
import carafe.kernel.FileTree;
import carafe.kernel.KernelException;
import carafe.kernel.Slot;
import carafe.runtime.Explaining.Done;
import carafe.spec.oci.ProcessSpec.User;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the preparations of one start have made so far. Owns its descriptors until [#close], those for the tape alone until
/// [#closePassed]; what outlives a successful start (control group, run directory, socket file) is undone by [#undo].
final class Prepared implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(2);

    final Map<Slot, Fd> descriptors = new LinkedHashMap<>();
    final List<Done> done = new ArrayList<>();
    final List<String> warnings = new ArrayList<>();
    final Set<String> files = new HashSet<>();
    final Map<String, String> destinations = new HashMap<>();
    final Map<String, Integer> modes = new HashMap<>();
    User user;
    String home = "/";
    Filter filter = Filter.NONE;
    Optional<FileTree> root = Optional.empty();
    Optional<FileIdentity> identity = Optional.empty();
    Optional<Cgroup> cgroup = Optional.empty();
    private final Path runDir;
    private final List<AutoCloseable> closed = new ArrayList<>();
    private final List<Fd> passed = new ArrayList<>();
    private final List<Path> made = new ArrayList<>();

    Prepared(Path runDir, User user) {
        this.runDir = runDir;
        this.user = user;
    }

    /// Does what makes files in the root as the container's root.
    <T> T inRoot(FileIdentity.Task<T> task) throws IOException {
        return identity.isPresent() ? identity.get().call(task) : task.run();
    }

    /// The user namespace that the container's owners are mapped with.
    Optional<Fd> users() {
        return Optional.ofNullable(descriptors.get(Slots.namespace("user")));
    }

    /// Keeps `fd` for the tape under `slot`.
    void put(Slot slot, Fd fd) {
        descriptors.put(slot, fd);
        passed.add(fd);
    }

    /// Closes `resource` with this.
    void closing(AutoCloseable resource) {
        closed.add(resource);
    }

    /// Removes `path` if the start fails; directories must be empty by then.
    void made(Path path) {
        made.add(path);
    }

    /// Whether this start has made `path`.
    boolean isNew(Path path) {
        return made.contains(path);
    }

    /// Takes over what `other` made beside this; what was done is kept in the order of `preparations`.
    void adopt(Prepared other, List<Preparation> preparations) {
        descriptors.putAll(other.descriptors);
        warnings.addAll(other.warnings);
        cgroup = other.cgroup.or(() -> cgroup);
        closed.addAll(other.closed);
        passed.addAll(other.passed);
        made.addAll(other.made);
        done.addAll(other.done);
        var places = new IdentityHashMap<Preparation, Integer>();
        preparations.forEach(preparation -> places.put(preparation, places.size()));
        done.sort(Comparator.comparing(each -> places.get(each.preparation())));
    }

    ImageFacts image() {
        return new ImageFacts(user, home, files, destinations, modes);
    }

    /// Takes back what [#close] does not: for a start that failed. A run directory is kept as long as its control group
    /// is there, for without it nobody would look for the group again.
    void undo() throws IOException {
        IOException first = null;
        if (cgroup.isPresent()) {
            try {
                cgroup.get().remove(PATIENCE);
            } catch (KernelException e) {
                cgroup.get().kill();
                cgroup.get().remove(PATIENCE);
            }
        }
        for (Path path : made.reversed()) {
            try {
                RunRecord.removeFiles(runDir);
                Files.deleteIfExists(path);
            } catch (IOException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }

    /// Closes what only the tape needs: whoever plays it has its own by now.
    void closePassed() {
        passed.forEach(Fd::close);
        passed.clear();
    }

    @Override
    public void close() {
        closePassed();
        for (var resource : closed.reversed()) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new AssertionError("closing a descriptor does not fail", e);
            }
        }
        closed.clear();
    }
}
