package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.util.ArrayList;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A filesystem being configured, from fsopen to a mount that nothing sees yet. A failure carries what the filesystem
/// wrote into the context's log, which often is the better sentence. Owns its descriptor.
/// Source: fsopen(2), fsconfig(2), fsmount(2) (Linux 5.2).
public final class FsContext implements AutoCloseable {

    private static final int MESSAGE_BYTES = 4096;

    private final Fd fd;
    private final String fsType;

    private FsContext(Fd fd, String fsType) {
        this.fd = fd;
        this.fsType = fsType;
    }

    /// Starts a new filesystem of `fsType`, `overlay` or `tmpfs`.
    /// @throws KernelException ENODEV the kernel has none of that name
    public static FsContext open(String fsType) throws KernelException {
        try (var frame = new Frame()) {
            long fd = frame.attempt(Syscall.FSOPEN, frame.text(fsType).address(), Linux.FSOPEN_CLOEXEC);
            Frame.checked(fd, Syscall.FSOPEN, fsType);
            return new FsContext(Fd.adopt((int) fd, "fsopen " + fsType), fsType);
        }
    }

    /// Makes a filesystem with `options` (an empty value is a flag) and returns its detached mount with
    /// `MOUNT_ATTR_*` attributes.
    public static Fd mount(String fsType, Map<String, String> options, int attributes) throws KernelException {
        try (var context = open(fsType)) {
            for (var option : options.entrySet()) {
                if (option.getValue().isEmpty()) {
                    context.flag(option.getKey());
                } else {
                    context.set(option.getKey(), option.getValue());
                }
            }
            return context.mount(attributes);
        }
    }

    /// Sets an option to a text of at most 255 bytes.
    public FsContext set(String key, String value) throws KernelException {
        configure(Linux.FSCONFIG_SET_STRING, key, value, 0);
        return this;
    }

    /// Sets an option that has no value.
    public FsContext flag(String key) throws KernelException {
        configure(Linux.FSCONFIG_SET_FLAG, key, null, 0);
        return this;
    }

    /// Sets an option to an open file, which stays the caller's.
    public FsContext set(String key, Fd value) throws KernelException {
        configure(Linux.FSCONFIG_SET_FD, key, null, value.number());
        return this;
    }

    /// Sets an option to a path of ours.
    public FsContext path(String key, String value) throws KernelException {
        configure(Linux.FSCONFIG_SET_PATH, key, value, Linux.AT_FDCWD);
        return this;
    }

    /// Makes the filesystem and a detached mount of it with `MOUNT_ATTR_*` attributes, owned by the caller.
    public Fd mount(int attributes) throws KernelException {
        configure(Linux.FSCONFIG_CMD_CREATE, null, null, 0);
        try (var frame = new Frame()) {
            long mount = frame.attempt(Syscall.FSMOUNT, fd.number(), Linux.FSMOUNT_CLOEXEC, attributes);
            if (mount < 0) {
                throw failure("fsmount", null, mount);
            }
            return Fd.adopt((int) mount, "mount of " + fsType);
        }
    }

    private void configure(int command, @Nullable String key, @Nullable String value, int number)
            throws KernelException {
        try (var frame = new Frame()) {
            long keyAddress = key == null ? 0 : frame.text(key).address();
            long valueAddress = value == null ? 0 : frame.text(value).address();
            long rc = frame.attempt(Syscall.FSCONFIG, fd.number(), command, keyAddress, valueAddress, number);
            if (rc < 0) {
                throw failure("fsconfig", key, rc);
            }
        }
    }

    private KernelException failure(String call, @Nullable String key, long result) {
        return new KernelException(call, key == null ? fsType : fsType + " " + key, (int) -result, log());
    }

    /// The messages the kernel left in the context, which reading takes out; the letter in front of each says whether
    /// it is an error, a warning or information.
    private String log() {
        var messages = new ArrayList<String>();
        try (var frame = new Frame()) {
            var buffer = frame.allocate(MESSAGE_BYTES, 8);
            while (true) {
                long bytes = frame.attempt(Syscall.READ, fd.number(), buffer.address(), MESSAGE_BYTES);
                if (bytes <= 0) { // ENODATA
                    return String.join("; ", messages);
                }
                String text = NativeText.decode(buffer.asSlice(0, bytes).toArray(JAVA_BYTE)).strip();
                messages.add(text.length() > 2 && text.charAt(1) == ' ' ? text.substring(2) : text);
            }
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
