package carafe.runtime;

import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;
import static carafe.kernel.Arg.text;

import carafe.kernel.DeviceNumber;
import carafe.kernel.Errno;
import carafe.kernel.Linux;
import carafe.kernel.Slot;
import carafe.kernel.Step;
import carafe.kernel.Syscall;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.LinuxSpec;
import carafe.spec.oci.LinuxSpec.Device;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/// The content of /dev. Nodes are made by number on a tmpfs that nobody else has seen yet; nothing of the host's or the
/// image's /dev is looked up, so there is nothing to be deceived by (CVE-2025-52565).
final class DeviceSteps {

    private static final List<Device> DEFAULTS = List.of(
            character("/dev/null", 1, 3),
            character("/dev/zero", 1, 5),
            character("/dev/full", 1, 7),
            character("/dev/random", 1, 8),
            character("/dev/urandom", 1, 9),
            character("/dev/tty", 5, 0));

    private static final List<String[]> LINKS = List.of(
            new String[] {"fd", "/proc/self/fd"},
            new String[] {"stdin", "/proc/self/fd/0"},
            new String[] {"stdout", "/proc/self/fd/1"},
            new String[] {"stderr", "/proc/self/fd/2"},
            new String[] {"core", "/proc/kcore"},
            new String[] {"ptmx", "pts/ptmx"});

    private DeviceSteps() {}

    private static Device character(String path, long major, long minor) {
        return new Device("c", path, major, minor, 0666, 0, 0);
    }

    /// `dev` is the fresh tmpfs at /dev; without one the image's own /dev is used, made by the daemon if missing. In a
    /// user namespace nobody may make device nodes: the monitor does, and gives them to the container's `ids`.
    static void write(TapeDraft draft, LinuxSpec linux, Optional<Slot> dev) {
        var ids = linux.ids();
        Slot parent = dev.orElse(new Slot("place:/dev"));
        if (dev.isEmpty()) {
            draft.add(draft.place("devices", "/dev", parent));
        }
        var devices = new ArrayList<>(linux.devices());
        var listed = new HashSet<String>();
        linux.devices().forEach(device -> listed.add(MountSteps.normalized(device.path())));
        DEFAULTS.stream().filter(device -> !listed.contains(device.path())).forEach(devices::add);
        var directories = new HashSet<String>();
        for (var device : devices) {
            node(draft, parent, device, directories, ids);
        }
        for (String[] link : LINKS) {
            draft.add(Step.child("device-links", Syscall.SYMLINKAT, text(link[1]), slot(parent), text(link[0]))
                    .tolerating(Errno.EEXIST));
            own(draft, parent, link[0], ids.at(0, 0));
        }
    }

    /// The monitor makes files with a umask of its own.
    private static void mode(TapeDraft draft, Slot parent, String name, long mode, IdMaps ids) {
        if (!ids.none()) {
            draft.child("devices", Syscall.FCHMODAT, slot(parent), text(name),
                    number(mode, "0" + Long.toOctalString(mode)));
        }
    }

    /// Whoever makes a file on the host's side is its root, so nothing is to be said for that one.
    private static void own(TapeDraft draft, Slot parent, String name, IdMaps.Owner owner) {
        if (owner.uid() != 0 || owner.gid() != 0) {
            draft.child("devices", Syscall.FCHOWNAT, slot(parent), text(name), number(owner.uid()),
                    number(owner.gid()), number(Linux.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"));
        }
    }

    private static void node(
            TapeDraft draft, Slot dev, Device device, HashSet<String> directories, IdMaps ids) {
        String path = MountSteps.normalized(device.path());
        Slot parent = dev;
        String name = path.substring(Math.min(path.length(), "/dev/".length()));
        if (!path.startsWith("/dev/")) {
            int slash = path.lastIndexOf('/');
            parent = new Slot("place:" + path.substring(0, slash + 1));
            draft.add(draft.place("devices", path.substring(0, slash + 1), parent));
            name = path.substring(slash + 1);
        } else {
            for (int slash = name.indexOf('/'); slash > 0; slash = name.indexOf('/', slash + 1)) {
                if (directories.add(name.substring(0, slash))) {
                    draft.add(Step.child("devices", Syscall.MKDIRAT, slot(dev), text(name.substring(0, slash)),
                            number(0755, "0755")).tolerating(Errno.EEXIST));
                    mode(draft, dev, name.substring(0, slash), 0755, ids);
                    own(draft, dev, name.substring(0, slash), ids.at(0, 0));
                }
            }
        }
        int type = switch (device.type()) {
            case "b" -> Linux.S_IFBLK;
            case "p" -> Linux.S_IFIFO;
            default -> Linux.S_IFCHR;
        };
        String word = type == Linux.S_IFBLK ? "S_IFBLK" : type == Linux.S_IFIFO ? "S_IFIFO" : "S_IFCHR";
        long mode = device.fileMode() & 07777;
        draft.add(Step.child("devices", Syscall.MKNODAT, slot(parent), text(name),
                        number(type | mode, word + "|0" + Long.toOctalString(mode)),
                        number(DeviceNumber.of(device.major(), device.minor()), device.major() + ":" + device.minor()))
                .tolerating(Errno.EEXIST));
        mode(draft, parent, name, mode, ids);
        own(draft, parent, name, ids.at(device.uid(), device.gid()));
    }

    /// The terminal as /dev/console: the node is taken from the devpts instance that the daemon made for this container,
    /// by descriptor.
    static void console(TapeDraft draft, Optional<Slot> dev) {
        Slot parent = dev.orElse(new Slot("place:/dev"));
        draft.add(Step.child("console", Syscall.MKNODAT, slot(parent), text("console"),
                        number(Linux.S_IFREG | 0600, "S_IFREG|0600"), number(0))
                .tolerating(Errno.EEXIST));
        var console = new Slot("console");
        draft.add(TapeDraft.copy("console", Slots.PTS, "0", false, console));
        draft.add(TapeDraft.attach("console", console, parent, "console"));
    }
}
