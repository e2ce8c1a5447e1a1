package carafe.hub.web;

import carafe.hub.store.Content;
import carafe.hub.store.Document;
import carafe.hub.store.Refusal;
import carafe.hub.store.Repository;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.MediaTypes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reads what is behind a digest of a repository: an image, or the images of an index.
final class ImageReader {

    private static final int MOST_PLATFORMS = 64;
    private static final int MOST_CONFIG = 1 << 20;

    private final Content content;

    ImageReader(Content content) {
        this.content = content;
    }

    /// The images behind `digest`, one per platform; attestations and what is not here are left out.
    List<ImageView> images(Repository repository, Digest digest) throws IOException, Refusal {
        var document = repository.document(digest);
        if (document.isEmpty()) {
            return List.of();
        }
        if (!MediaTypes.isIndex(document.get().mediaType())) {
            return List.of(view(repository, document.get()));
        }
        var images = new ArrayList<ImageView>();
        for (var entry : document.get().manifests()) {
            boolean attestation = entry.platform().filter(platform -> platform.os().equals("unknown")).isPresent();
            var child = attestation || images.size() >= MOST_PLATFORMS
                    ? Optional.<Document>empty() : repository.document(entry.digest());
            if (child.isPresent() && !MediaTypes.isIndex(child.get().mediaType())) {
                images.add(view(repository, child.get()));
            }
        }
        return images;
    }

    /// The first of [#images].
    Optional<ImageView> first(Repository repository, Digest digest) throws IOException, Refusal {
        return images(repository, digest).stream().findFirst();
    }

    private ImageView view(Repository repository, Document document) throws IOException, Refusal {
        // A manifest's first blob is its configuration, the others its layers.
        List<Descriptor> blobs = document.blobs();
        var config = blobs.getFirst();
        return new ImageView(document.digest(), document.mediaType(), document.artifactType().orElse(""),
                blobs.subList(1, blobs.size()), config(repository, config), document.annotations());
    }

    private Optional<ImageConfig> config(Repository repository, Descriptor config) throws IOException, Refusal {
        boolean readable = MediaTypes.isImageConfig(config.mediaType())
                && config.size() <= MOST_CONFIG
                && repository.blob(config.digest()).isPresent();
        if (!readable) {
            return Optional.empty();
        }
        try {
            var bytes = content.document(config.digest());
            return bytes.isEmpty() ? Optional.empty() : Optional.of(ImageConfig.parse(bytes.get()));
        } catch (EngineException.Invalid e) {
            return Optional.empty(); // somebody pushed something else under that type
        }
    }
}
