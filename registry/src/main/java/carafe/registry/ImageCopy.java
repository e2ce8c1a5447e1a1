package carafe.registry;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// Copies an image with all its platforms from one registry to another, byte for byte, nothing unpacked and nothing
/// kept here. What the target has or can mount is not sent.
public final class ImageCopy {

    private static final int DEEPEST = 3;

    private final Repository source;
    private final Reference sourceName;
    private final Repository target;
    private final Reference targetName;
    private final Listener listener;
    private final Set<Digest> sent = new HashSet<>();

    /// Hears what happens to a blob or manifest: `Copied`, `Already exists`, `Mounted`.
    @FunctionalInterface
    public interface Listener {
        /// `id` is the begin of its digest.
        void done(String id, String what);
    }

    /// From `sourceName` in `source` to `targetName` in `target`.
    public ImageCopy(Repository source, Reference sourceName, Repository target, Reference targetName, Listener listener) {
        this.source = source;
        this.sourceName = sourceName.withDefaultTag();
        this.target = target;
        this.targetName = targetName.withDefaultTag();
        this.listener = listener;
    }

    /// Copies, and returns what the target's name means now.
    public Descriptor run() throws EngineException, InterruptedException {
        String from = sourceName.digest().map(Digest::toString).or(sourceName::tag).orElseThrow();
        var root = source.fetch(from);
        copy(root, targetName.tag(), 0);
        return root.descriptor();
    }

    private void copy(Document document, Optional<String> tag, int depth) throws EngineException, InterruptedException {
        if (depth > DEEPEST) {
            throw new EngineException.Unsupported("an index within an index within an index is not copied");
        }
        if (document.isIndex()) {
            for (var entry : document.index().manifests()) {
                if (MediaTypes.isManifest(entry.mediaType()) || MediaTypes.isIndex(entry.mediaType())) {
                    copy(source.fetch(entry.digest().toString()), Optional.empty(), depth + 1);
                } else {
                    blob(entry);
                }
            }
        } else {
            Manifest manifest = document.manifest();
            blob(manifest.config());
            for (var layer : manifest.layers()) {
                blob(layer);
            }
        }
        target.put(document, tag);
        listener.done(document.descriptor().digest().shortHex(), "Copied");
    }

    private void blob(Descriptor blob) throws EngineException, InterruptedException {
        if (!sent.add(blob.digest())) {
            return;
        }
        String id = blob.digest().shortHex();
        if (target.has(blob.digest())) {
            listener.done(id, "Already exists");
        } else if (sourceName.domain().equals(targetName.domain()) && target.mount(blob.digest(), sourceName.path())) {
            listener.done(id, "Mounted");
        } else {
            source.take(blob, from -> target.upload(out -> {
                try (var in = from.verified()) {
                    in.transferTo(out);
                } catch (IOException e) {
                    BlobStream.rethrow(e);
                    throw e;
                }
                return blob;
            }, _ -> { }));
            listener.done(id, "Copied");
        }
    }
}
