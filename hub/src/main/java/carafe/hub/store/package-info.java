/// What the hub keeps: blobs by digest, and for each repository the facts about it (blobs, manifests, tags).
///
/// Entry types: [Repositories] and [Content]; [Blobs] is the storage behind them, ready to be an object store.
/// It must never know HTTP, users or tokens; it refuses with the words of the distribution specification, [Refusal].
/// Any thread; a repository's changes are serialised by its own lock, a blob's links by its digest's lock.
/// Spec: OCI distribution-spec 1.1, image-spec manifest.md and image-index.md.
@NullMarked
package carafe.hub.store;

import org.jspecify.annotations.NullMarked;
