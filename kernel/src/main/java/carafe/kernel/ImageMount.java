package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.nio.file.Path;

/// A filesystem image (EROFS) mounted read-only from its file, as a detached mount: gone with its descriptor, unless an
/// overlay or a container holds it. Needs CAP_SYS_ADMIN. Costs some 50 µs.
/// Source: Documentation/filesystems/erofs.rst; fsopen(2); loop(4).
public final class ImageMount {

    /// How the kernel gets at the file.
    public enum Way {
        /// The filesystem reads the file itself (Linux 6.12).
        FILE,
        /// Through a loop device, which goes with the mount.
        LOOP
    }

    private static final int MAX_SOURCE_BYTES = 255;
    private static final int LOOP_CONFIG_BYTES = 304;
    private static final int LOOP_FLAGS_OFFSET = 8 + 52;
    private static final int LOOP_RACES = 64;

    private ImageMount() {}

    /// Mounts the EROFS image in `file`; owned by the caller.
    /// @throws KernelException EINVAL or ENOTBLK no such image, or the kernel cannot; ENODEV it has no EROFS
    public static Fd erofs(Path file, Way way) throws KernelException {
        try (var image = Descriptors.open(file, Linux.O_RDONLY, 0)) {
            if (way == Way.LOOP) {
                return byLoop(image);
            }
            String path = file.toString();
            boolean fits = NativeText.encode(path).length <= MAX_SOURCE_BYTES;
            return mount(fits ? path : ProcFs.path(image));
        }
    }

    private static Fd mount(String source) throws KernelException {
        try (var context = FsContext.open("erofs")) {
            return context.set("source", source).flag("ro").mount(Linux.MOUNT_ATTR_RDONLY);
        }
    }

    private static Fd byLoop(Fd image) throws KernelException {
        try (var control = Descriptors.open(Path.of("/dev/loop-control"), Linux.O_RDWR, 0)) {
            for (int race = 0; ; race++) {
                String device = "/dev/loop" + free(control);
                try (var loop = Descriptors.open(Path.of(device), Linux.O_RDONLY, 0)) {
                    configure(loop, image);
                    return mount(device);
                } catch (KernelException e) {
                    if (!e.is(Errno.EBUSY) || race == LOOP_RACES) { // somebody else was quicker
                        throw e;
                    }
                }
            }
        }
    }

    private static long free(Fd control) throws KernelException {
        try (var frame = new Frame()) {
            long number = frame.attempt(Syscall.IOCTL, control.number(), Linux.LOOP_CTL_GET_FREE);
            return Frame.checked(number, Syscall.IOCTL, "LOOP_CTL_GET_FREE");
        }
    }

    /// `struct loop_config`: the file's descriptor, the block size (0: 512 bytes), `struct loop_info64`.
    private static void configure(Fd loop, Fd image) throws KernelException {
        try (var frame = new Frame()) {
            var config = frame.allocate(LOOP_CONFIG_BYTES, 8);
            config.set(JAVA_INT, 0, image.number());
            config.set(JAVA_INT, LOOP_FLAGS_OFFSET, Linux.LO_FLAGS_READ_ONLY | Linux.LO_FLAGS_AUTOCLEAR);
            long rc = frame.attempt(Syscall.IOCTL, loop.number(), Linux.LOOP_CONFIGURE, config.address());
            Frame.checked(rc, Syscall.IOCTL, "LOOP_CONFIGURE");
        }
    }
}
