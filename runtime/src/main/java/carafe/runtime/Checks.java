package carafe.runtime;

import carafe.runtime.StartFailure.Kind;
import carafe.spec.EngineException;
import carafe.spec.oci.LinuxSpec;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import carafe.spec.oci.RuntimeSpec;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Refuses configurations that contradict themselves, ask for what is not there yet, or would change the host.
final class Checks {

    private static final Set<String> IPC_SYSCTLS = Set.of(
            "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
            "kernel.shmmni", "kernel.shm_rmid_forced");

    private Checks() {}

    static void check(RuntimeSpec spec) throws StartFailure {
        var linux = spec.linux();
        if (spec.process().args().isEmpty()) {
            throw invalid("no command specified");
        }
        if (!spec.process().cwd().startsWith("/")) {
            throw invalid("the working directory \"" + spec.process().cwd() + "\" is invalid, it needs to be an"
                    + " absolute path");
        }
        if (linux.namespace(NamespaceType.MOUNT).filter(n -> n.path().isEmpty()).isEmpty()) {
            throw invalid("a container needs a mount namespace of its own");
        }
        if (linux.namespace(NamespaceType.TIME).isPresent()) {
            throw invalid("time namespaces are not supported yet");
        }
        users(spec);
        if (!spec.hooks().isEmpty()) {
            throw invalid("hooks are not supported yet");
        }
        boolean ownUts = linux.namespace(NamespaceType.UTS).isPresent();
        if (!ownUts && !(spec.hostname() + spec.domainname()).isEmpty()) {
            throw invalid("a host name can only be set in a UTS namespace of the container's own");
        }
        sysctls(linux);
        mounts(spec);
        var limits = new HashSet<String>();
        for (var limit : spec.process().rlimits()) {
            if (!limits.add(limit.type())) {
                throw invalid("limit " + limit.type() + " is set twice");
            }
        }
    }

    /// A user namespace comes made, with its maps: what the container's network and its layers are made with.
    private static void users(RuntimeSpec spec) throws StartFailure {
        var linux = spec.linux();
        var user = linux.namespace(NamespaceType.USER);
        if (user.isPresent() == linux.ids().none() || user.isPresent() && user.get().path().isEmpty()) {
            throw invalid("a user namespace is given by its path and by the ids it maps, both or neither");
        }
        if (user.isEmpty()) {
            return;
        }
        try {
            linux.ids().check();
        } catch (EngineException.Invalid e) {
            throw invalid(String.valueOf(e.getMessage()));
        }
        for (var type : List.of(NamespaceType.PID, NamespaceType.NETWORK)) {
            if (linux.namespace(type).isEmpty()) {
                throw invalid("a container with a user namespace of its own needs a " + type.word()
                        + " namespace that belongs to it");
            }
        }
        for (var device : linux.devices()) {
            if (!MountSteps.normalized(device.path()).startsWith("/dev/")) {
                throw invalid("a container with a user namespace of its own has devices below /dev only, not "
                        + device.path());
            }
        }
        if (spec.mounts().stream().noneMatch(mount -> MountSteps.normalized(mount.destination()).equals("/dev"))) {
            throw invalid("a container with a user namespace of its own needs a mount at /dev: there are no devices on"
                    + " its root");
        }
    }

    private static void mounts(RuntimeSpec spec) throws StartFailure {
        for (var mount : spec.mounts()) {
            if (MountSteps.normalized(mount.destination()).equals("/")) {
                throw invalid("invalid mount destination \"" + mount.destination()
                        + "\": it must not be the root of the container");
            }
            if (MountOptions.parse(mount.options()).idmapped() && (spec.linux().ids().none()
                    || !mount.uidMappings().isEmpty() || !mount.gidMappings().isEmpty())) {
                throw invalid("mount " + mount.destination() + ": owners are mapped (idmap) only as the container's own"
                        + " user namespace has them");
            }
        }
    }

    /// A setting that is not the container's own would be the host's.
    private static void sysctls(LinuxSpec linux) throws StartFailure {
        for (String key : linux.sysctl().keySet()) {
            String dotted = key.indexOf('/') >= 0 && (key.indexOf('.') < 0 || key.indexOf('/') < key.indexOf('.'))
                    ? key.replace('/', '.')
                    : key;
            boolean own;
            if (IPC_SYSCTLS.contains(dotted) || dotted.startsWith("fs.mqueue.")) {
                own = linux.namespace(NamespaceType.IPC).isPresent();
            } else if (dotted.startsWith("net.")) {
                own = linux.namespace(NamespaceType.NETWORK).isPresent();
            } else {
                own = dotted.equals("kernel.domainname") && linux.namespace(NamespaceType.UTS).isPresent();
            }
            if (!own) {
                throw invalid("sysctl \"" + key + "\" is not in a separate kernel namespace");
            }
            for (String part : sysctlPath(key).split("/", -1)) {
                if (part.isEmpty() || part.equals(".") || part.equals("..")) {
                    throw invalid("sysctl \"" + key + "\" is not a valid name");
                }
            }
        }
    }

    /// `net.ipv4.conf.eth0/1.forwarding` is `net/ipv4/conf/eth0.1/forwarding`: what separates comes first.
    static String sysctlPath(String key) {
        int dot = key.indexOf('.');
        int slash = key.indexOf('/');
        if (dot < 0 || slash >= 0 && slash < dot) {
            return key;
        }
        var path = new StringBuilder();
        for (char c : key.toCharArray()) {
            path.append(c == '.' ? '/' : c == '/' ? '.' : c);
        }
        return path.toString();
    }

    static StartFailure invalid(String message) {
        return new StartFailure(Kind.INVALID, "", message);
    }
}
