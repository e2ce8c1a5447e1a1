package carafe.cli.copy;

/// Into which directory an archive is unpacked, and which first name of its members becomes which. Docker's rules: into
/// a directory that exists the source goes as it is; else the source takes the destination's name.
public record CopyPlan(String directory, String from, String to) {

    /// Decides for a `source` whose archive begins with its last name.
    public static CopyPlan of(CopyEnd source, CopyEnd destination) throws CopyException {
        if (destination.exists() && destination.directory()) {
            return new CopyPlan(destination.path(), "", "");
        }
        if (destination.exists() && source.directory()) {
            throw new CopyException("cannot copy directory");
        }
        if (!destination.exists() && !source.directory() && CopyEnd.assertsDirectory(destination.path())) {
            throw new CopyException("no such directory");
        }
        String base = new CopyEnd(CopyEnd.clean(destination.path()), false, false).base();
        String parent = new CopyEnd(CopyEnd.clean(destination.path()), false, false).parent();
        return new CopyPlan(parent, source.base().equals("/") ? "" : source.base(), base);
    }

    /// A member's name in the destination.
    public String renamed(String name) {
        if (to.isEmpty() || !name.startsWith(from)) {
            return name;
        }
        return from.isEmpty() ? to + "/" + name : to + name.substring(from.length());
    }
}
