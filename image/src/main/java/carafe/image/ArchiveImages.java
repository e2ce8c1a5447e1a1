package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Platform;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// What an archive that was read holds, by whichever tables it has.
final class ArchiveImages {

    private ArchiveImages() {}

    /// Its images, those for `platform` only if one is said. `needed`: there must be one.
    static List<IncomingImage> images(ArchiveContents contents, Optional<Platform> platform, Platform host, boolean needed)
            throws EngineException {
        var all = images(contents, platform.orElse(host), platform.isEmpty());
        if (all.isEmpty() && needed) {
            throw new EngineException.Invalid("archive holds no container image");
        }
        if (platform.isEmpty() || all.isEmpty()) {
            return all;
        }
        var wanted = all.stream().filter(image -> image.config().platform().runsOn(platform.get())).toList();
        if (wanted.isEmpty()) {
            throw new EngineException.NotFound("requested platform (" + platform.get() + ") not found: the archive has "
                    + String.join(", ", all.stream().map(image -> image.config().platform().toString()).distinct().toList()));
        }
        return wanted;
    }

    private static List<IncomingImage> images(ArchiveContents contents, Platform platform, boolean each)
            throws EngineException {
        var table = layoutTable(contents);
        if (table.isPresent()) {
            return OciArchive.images(table.get(), contents, platform, each);
        }
        var docker = contents.document(DockerArchive.TABLE);
        if (docker.isPresent()) {
            return DockerArchive.images(docker.get(), contents);
        }
        throw new EngineException.Invalid("not an image archive: neither manifest.json nor an OCI layout is in it");
    }

    /// Its artifacts; only an OCI layout can have some.
    static List<IncomingArtifact> artifacts(ArchiveContents contents) throws IOException, EngineException {
        var table = layoutTable(contents);
        return table.isPresent() ? IncomingArtifact.all(table.get(), contents, contents.blobs()) : List.of();
    }

    private static Optional<byte[]> layoutTable(ArchiveContents contents) {
        return contents.document(OciArchive.LAYOUT).flatMap(_ -> contents.document(OciArchive.TABLE));
    }
}
