/// Images on their way between this engine and registries: pull, push, log in, search, and what is done at a registry
/// without fetching an image.
///
/// Entry type: [ImageTransfers]; [LiveTransfers] is the real one.
/// It must never know containers, HTTP, or how clients are told; it tells a listener in values.
/// Everything runs on its caller's thread and on virtual threads that end before the call does; interrupting the caller
/// cancels. Spec: Docker Engine API, the streams of `images/create` and `images/{name}/push`.
@NullMarked
package carafe.engine.transfer;

import org.jspecify.annotations.NullMarked;
