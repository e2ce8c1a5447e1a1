package carafe.api;

import carafe.spec.EngineException.Invalid;

/// A version of Docker's API, `1.minor`; fields and defaults are gated by it.
record ApiVersion(int minor) implements Comparable<ApiVersion> {

    /// What this engine announces; clients negotiate down to it.
    static final ApiVersion CURRENT = new ApiVersion(51);
    /// The newest that is understood when a client insists.
    private static final ApiVersion NEWEST = new ApiVersion(56);
    /// The oldest that is understood.
    static final ApiVersion OLDEST = new ApiVersion(12);

    /// Reads the number of a path's prefix, `1.43`.
    static ApiVersion parse(String text) throws Invalid {
        int dot = text.indexOf('.');
        try {
            int major = Integer.parseInt(dot < 0 ? text : text.substring(0, dot));
            var version = new ApiVersion(dot < 0 ? 0 : Integer.parseInt(text.substring(dot + 1)));
            if (major < 1 || major == 1 && version.compareTo(OLDEST) < 0) {
                throw new Invalid("client version " + text + " is too old. Minimum supported API version is " + OLDEST
                        + ", please upgrade your client to a newer version");
            }
            if (major > 1 || version.compareTo(NEWEST) > 0) {
                throw new Invalid("client version " + text + " is too new. Maximum supported API version is " + NEWEST);
            }
            return version;
        } catch (NumberFormatException e) {
            throw new Invalid("invalid API version: " + text);
        }
    }

    boolean before(int otherMinor) {
        return minor < otherMinor;
    }

    @Override
    public int compareTo(ApiVersion other) {
        return Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
        return "1." + minor;
    }
}
