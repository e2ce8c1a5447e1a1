package carafe.files;

/// A path inside a container as clients write it: made absolute and clean as text, but a closing `/` or `/.` kept, for
/// it says that the last name is to be followed when it is a link. `directory` ends in `/` and is always followed;
/// `base` is looked at itself, and is `""` or `.` where the directory itself is meant.
record InsidePath(String directory, String base) {

    static InsidePath of(String written) {
        var names = new java.util.ArrayDeque<String>();
        for (String part : written.split("/")) {
            if (part.equals("..")) {
                names.pollLast();
            } else if (!part.isEmpty() && !part.equals(".")) {
                names.addLast(part);
            }
        }
        String clean = "/" + String.join("/", names);
        boolean dot = written.equals(".") || written.endsWith("/.");
        boolean slash = written.endsWith("/");
        if (dot) {
            return new InsidePath(clean.endsWith("/") ? clean : clean + "/", ".");
        }
        if (slash || clean.equals("/")) {
            return new InsidePath(clean.endsWith("/") ? clean : clean + "/", "");
        }
        int cut = clean.lastIndexOf('/') + 1;
        return new InsidePath(clean.substring(0, cut), clean.substring(cut));
    }

    /// Whether the directory itself is meant and not a name in it.
    boolean isDirectory() {
        return base.isEmpty() || base.equals(".");
    }

    /// The name an archive of it begins with.
    String name() {
        if (!base.isEmpty()) {
            return base;
        }
        String trimmed = directory.substring(0, directory.length() - 1);
        return trimmed.isEmpty() ? "/" : trimmed.substring(trimmed.lastIndexOf('/') + 1);
    }

    @Override
    public String toString() {
        return directory + base;
    }
}
