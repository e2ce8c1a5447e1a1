/// Images on disk: documents by digest, layers unpacked, names, and the writable directories of containers.
/// Entry: [Images]; from it [Snapshots]. [HelloWorld] makes the one image that ships inside.
/// Never knows: containers, databases, registries, mounts. Whether an image is in use is asked through [ImageUsers].
/// Threads: any; calls block on disk, so run them on virtual threads. One process owns a root at a time.
/// Spec: OCI image-spec 1.1 (layout, layer), Docker's image archives 1.2. Bytes from outside are hostile (SECURITY).
///
/// Under the state root: `content/` is an OCI layout (configurations and manifests as blobs, names in `index.json`),
/// `layers/HEX/fs` an unpacked layer by the digest of its tar, `snapshots/ID/{upper,work}` a container's writable part.
/// What is left of interrupted work lies in `content/ingest`, `layers/tmp` and `snapshots/tmp` and is swept at open.
/// Names live in the layout's own `index.json` (replaced whole: temp file, fsync, rename, fsync of the directory) and
/// not in the engine's database: a hub without an engine needs them too, and the directory stays one that other
/// programs can read. A layer's compressed bytes are not kept beside its files.
@NullMarked
package carafe.image;

import org.jspecify.annotations.NullMarked;
