package carafe.kernel;

import java.util.List;

/// One rule about device nodes for the processes of a cgroup; later rules win over earlier ones. `major` and `minor` of
/// -1 stand for every number; `access` is made of the letters `rwm` (read, write, mknod).
public record DeviceRule(boolean allow, Kind kind, long major, long minor, String access) {

    /// Which device nodes a rule is about.
    public enum Kind {
        ALL('a'),
        CHARACTER('c'),
        BLOCK('b');

        private final char letter;

        Kind(char letter) {
            this.letter = letter;
        }

        /// The letter that cgroup v1 and the OCI specification use.
        public char letter() {
            return letter;
        }
    }

    /// Refuses everything.
    public static final DeviceRule DENY_ALL = new DeviceRule(false, Kind.ALL, -1, -1, "rwm");

    /// Allows everything, as privileged containers have it.
    public static final DeviceRule ALLOW_ALL = new DeviceRule(true, Kind.ALL, -1, -1, "rwm");

    public DeviceRule {
        if (access.isEmpty() || !access.chars().allMatch(letter -> "rwm".indexOf(letter) >= 0)) {
            throw new IllegalArgumentException("device access must be made of r, w and m: " + access);
        }
        if (major < -1 || minor < -1 || major > 0xFFFFFFFFL || minor > 0xFFFFFFFFL) {
            throw new IllegalArgumentException("device number out of range: " + major + ":" + minor);
        }
    }

    /// Allows `access` to the character device `major`:`minor`.
    public static DeviceRule allowCharacter(long major, long minor, String access) {
        return new DeviceRule(true, Kind.CHARACTER, major, minor, access);
    }

    /// What every container may use, as Docker has it: any node may be made, and the harmless devices of /dev,
    /// terminals included, may be opened.
    public static List<DeviceRule> containerDefaults() {
        return DEFAULTS;
    }

    private static final List<DeviceRule> DEFAULTS = List.of(
            DENY_ALL,
            new DeviceRule(true, Kind.CHARACTER, -1, -1, "m"),
            new DeviceRule(true, Kind.BLOCK, -1, -1, "m"),
            allowCharacter(1, 3, "rwm"),    // null
            allowCharacter(1, 5, "rwm"),    // zero
            allowCharacter(1, 7, "rwm"),    // full
            allowCharacter(1, 8, "rwm"),    // random
            allowCharacter(1, 9, "rwm"),    // urandom
            allowCharacter(5, 0, "rwm"),    // tty
            allowCharacter(5, 1, "rwm"),    // console
            allowCharacter(5, 2, "rwm"),    // ptmx
            allowCharacter(136, -1, "rwm")); // pseudo terminals

    /// The rule as cgroup v1 reads it, `c 1:3 rwm`.
    public String text() {
        return kind.letter() + " " + number(major) + ":" + number(minor) + " " + access;
    }

    private static String number(long number) {
        return number < 0 ? "*" : Long.toString(number);
    }
}
