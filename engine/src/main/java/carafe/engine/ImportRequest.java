package carafe.engine;

import java.util.List;

/// What `import` asks for: an image of one layer under `repository:tag` (no name if the repository is empty), for
/// `platform` (`os/arch/variant`, empty: this machine's). `source` is the URL of the archive,
/// or `-` when it is sent along; its history says so.
public record ImportRequest(String source, String repository, String tag, String message, String platform,
        List<String> changes) {
    public ImportRequest {
        changes = List.copyOf(changes);
    }
}
