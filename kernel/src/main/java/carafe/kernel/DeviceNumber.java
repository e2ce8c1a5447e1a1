package carafe.kernel;

/// The number of a device as system calls and stat(2) have it. Source: makedev(3).
public final class DeviceNumber {

    private DeviceNumber() {}

    /// Of the device `major`:`minor`, 32 bits each.
    public static long of(long major, long minor) {
        return minor & 0xFF | (major & 0xFFF) << 8 | (minor & 0xFFFFFF00L) << 12 | (major & 0xFFFFF000L) << 32;
    }
}
