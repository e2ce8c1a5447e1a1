package carafe.spec.build;

/// What a file gives the processes that run it, as the kernel keeps it: the one extended attribute that a context's files
/// take along, as Docker's. Source: capabilities(7), "File capabilities".
public final class FileCapability {

    /// The attribute's name.
    public static final String ATTRIBUTE = "security.capability";

    private FileCapability() {}
}
