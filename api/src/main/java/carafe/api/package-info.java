/// The door that speaks Docker's Engine API: reads requests, calls the engine, prints what it answers.
/// Entry: [DockerApi], a handler for room http; its paths stand in [Routes].
/// Never knows: how anything is done; no branch here depends on a container's state.
/// Threads: each request on a virtual thread of its own; a hijacked stream has a second one for its input.
/// Spec: Docker Engine API 1.24 to 1.51; stream framing as its attach endpoint describes.
@NullMarked
package carafe.api;

import org.jspecify.annotations.NullMarked;
