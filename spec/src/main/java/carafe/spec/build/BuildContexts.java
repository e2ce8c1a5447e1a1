package carafe.spec.build;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Where a build's files come from beside the context that is sent: `remote` names the context itself (a git repository,
/// a tar or a Dockerfile of the web; `""`: it is sent), `named` further contexts by name (in small letters), which go
/// before stages and images of that name; `listing`: what our own client says of its files beside their contents, or
/// instead of them; `dockerfile`: what people call the Dockerfile, where its path in the context is none of theirs (else `""`).
public record BuildContexts(String remote, Map<String, Place> named, List<String> sent, Optional<Listing> listing,
        String dockerfile) {

    /// Only the context that is sent.
    public static final BuildContexts NONE = new BuildContexts("", Map.of(), List.of());

    /// A [ContextListing] comes, of a directory that only this client calls `directory`. `alone`:
    /// instead of the tar, to build from what earlier builds of that directory taught; else behind the tar, which is in
    /// pieces then, with the files in it that were the same before and after they were read, for later builds.
    public record Listing(String directory, boolean alone) {
        public Listing {
            if (directory.isEmpty()) {
                throw new IllegalArgumentException("a directory that is listed has a name");
            }
        }
    }

    /// What a further context is.
    public sealed interface Place {}

    /// A directory whose tar comes before the context's.
    public record Directory() implements Place {}

    /// A directory in OCI layout whose tar comes before the context's; the image in it called `reference` (a tag, a
    /// digest with `@` before it, `""`: the only one).
    public record Layout(String reference) implements Place {}

    /// An image, by its reference.
    public record Image(String reference) implements Place {}

    /// A git repository, or a tar or file of the web.
    public record Remote(String url) implements Place {}

    /// Without a listing.
    public BuildContexts(String remote, Map<String, Place> named, List<String> sent) {
        this(remote, named, sent, Optional.empty());
    }

    /// The Dockerfile is called as its path is.
    public BuildContexts(String remote, Map<String, Place> named, List<String> sent, Optional<Listing> listing) {
        this(remote, named, sent, listing, "");
    }

    /// `sent` are the names of directories and layouts, in the order in which their tars come.
    public BuildContexts {
        named = Map.copyOf(new TreeMap<>(named));
        sent = List.copyOf(sent);
    }

    /// Whether `text` is no path but a place that is fetched from, a git repository or a file of the web, wherever it is
    /// written: it has a scheme, or is `user@host:path`. [GitAddress#parse] takes nothing else but the context's short form.
    public static boolean isRemote(String text) {
        return text.matches("(?is)(https?|git|ssh)://.*") || text.matches("(?s)[\\w.-]+@[\\w.-]+:.*");
    }

    /// Whether `text` is a place that a context is fetched from, where it is no directory: also `github.com/…`, which is a
    /// path to ADD.
    public static boolean isRemoteContext(String text) {
        return isRemote(text) || text.startsWith("github.com/");
    }
}
