package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.Resources;
import carafe.spec.oci.LinuxResources;
import carafe.spec.oci.LinuxSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds the host's device nodes that a container asks for.
final class HostDevices {
    private static final int TYPE_MASK = 0170000;
    private static final int CHARACTER = 0020000;
    private static final int BLOCK = 0060000;
    private static final int MOST_NODES = 4096;

    private HostDevices() {}

    /// What a container gets: nodes to make, rules that allow them, and the numbers of block devices it is slowed on.
    record Granted(
            List<LinuxSpec.Device> nodes, List<LinuxResources.DeviceRule> rules, Map<String, Numbers> rated) {

        /// Nothing of the host's.
        static final Granted NONE = new Granted(List.of(), List.of(), Map.of());

        Granted {
            nodes = List.copyOf(nodes);
            rules = List.copyOf(rules);
            rated = Map.copyOf(rated);
        }

        List<LinuxResources.DeviceRate> rates(List<Resources.Rate> asked) {
            var rates = new ArrayList<LinuxResources.DeviceRate>();
            for (var rate : asked) {
                var numbers = rated.get(rate.path());
                if (numbers != null) {
                    rates.add(new LinuxResources.DeviceRate(numbers.major, numbers.minor, rate.perSecond()));
                }
            }
            return rates;
        }
    }

    /// A device's numbers.
    record Numbers(long major, long minor) {}

    /// Looks up what `host` asks for; a privileged container gets all of /dev.
    static Granted find(HostConfig host) throws EngineException {
        var asked = host.resources().devices();
        if (asked.requestsGpus()) {
            throw new EngineException.Unsupported(
                    "could not select device driver \"\" with capabilities: [[gpu]]");
        }
        var io = host.resources().blockIo();
        if (asked.nodes().isEmpty() && asked.rules().isEmpty() && !host.rights().privileged() && io.readBytes().isEmpty()
                && io.writeBytes().isEmpty() && io.readOps().isEmpty() && io.writeOps().isEmpty()) {
            return Granted.NONE;
        }
        var nodes = new ArrayList<LinuxSpec.Device>();
        var rules = new ArrayList<LinuxResources.DeviceRule>();
        if (host.rights().privileged()) {
            collect(Path.of("/dev"), "/dev", nodes);
        }
        for (var device : asked.nodes()) {
            int before = nodes.size();
            Path path = Path.of(device.hostPath());
            if (!Files.exists(path)) {
                throw new EngineException.Invalid("error gathering device information while adding custom device \""
                        + device.hostPath() + "\": no such file or directory");
            }
            collect(path, device.containerPath(), nodes);
            if (nodes.size() == before) {
                throw new EngineException.Invalid("error gathering device information while adding custom device \""
                        + device.hostPath() + "\": not a device node");
            }
            for (var node : nodes.subList(before, nodes.size())) {
                rules.add(new LinuxResources.DeviceRule(
                        true, node.type(), Optional.of(node.major()), Optional.of(node.minor()),
                        device.permissions()));
            }
        }
        for (var rule : asked.rules()) {
            String[] words = rule.split("[ :]");
            rules.add(new LinuxResources.DeviceRule(true, words[0], number(words[1]), number(words[2]), words[3]));
        }
        var rated = new HashMap<String, Numbers>();
        for (var rates : List.of(io.readBytes(), io.writeBytes(), io.readOps(), io.writeOps())) {
            for (var rate : rates) {
                rated.put(rate.path(), numbers(Path.of(rate.path())));
            }
        }
        return new Granted(nodes, rules, rated);
    }

    private static Optional<Long> number(String text) {
        return text.equals("*") ? Optional.empty() : Optional.of(Long.parseLong(text));
    }

    /// Adds the node at `path`, or all below it when it is a directory, at `inside`. What the runtime makes anyway
    /// (terminals, shared memory, queues) is left out.
    private static void collect(Path path, String inside, List<LinuxSpec.Device> nodes) throws EngineException {
        if (nodes.size() >= MOST_NODES) {
            return;
        }
        try {
            if (Files.isDirectory(path)) {
                String name = path.toString();
                if (List.of("/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/fd", "/dev/.lxc", "/dev/.udev")
                        .contains(name)) {
                    return;
                }
                try (var entries = Files.newDirectoryStream(path)) {
                    for (var entry : entries) {
                        if (!Files.isSymbolicLink(entry)) {
                            collect(entry, inside + "/" + entry.getFileName(), nodes);
                        }
                    }
                }
                return;
            }
            var attributes = Files.readAttributes(path, "unix:mode,rdev,uid,gid");
            int mode = (int) number(attributes, "mode");
            int kind = mode & TYPE_MASK;
            if (kind != CHARACTER && kind != BLOCK || path.toString().equals("/dev/console")) {
                return;
            }
            long device = number(attributes, "rdev");
            nodes.add(new LinuxSpec.Device(
                    kind == BLOCK ? "b" : "c", inside, major(device), minor(device), mode & 07777,
                    number(attributes, "uid"), number(attributes, "gid")));
        } catch (NoSuchFileException e) {
            return; // it went away while we looked
        } catch (IOException e) {
            throw Failures.io("error gathering device information while adding custom device \"" + path + "\"", e);
        }
    }

    private static long number(Map<String, Object> attributes, String name) {
        return attributes.get(name) instanceof Number number ? number.longValue() : 0;
    }

    private static Numbers numbers(Path path) throws EngineException {
        try {
            long device = number(Files.readAttributes(path, "unix:rdev"), "rdev");
            return new Numbers(major(device), minor(device));
        } catch (IOException e) {
            throw Failures.io("cannot look up the device " + path, e);
        }
    }

    /// Source: makedev(3), as glibc splits a dev_t.
    static long major(long device) {
        return (device >>> 8 & 0xfff) | (device >>> 32 & 0xfffff000L);
    }

    static long minor(long device) {
        return (device & 0xff) | (device >>> 12 & 0xffffff00L);
    }
}
