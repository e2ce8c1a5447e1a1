/// The domain: containers, execs, logs, events, restarts, the database and its reconciliation with the kernel.
/// Entry: [Engine], which hands out [Containers], [Execs], [Events], [ImageCatalog] and [Host].
/// Never knows: HTTP, API versions, system calls, how an image or a tape is made.
/// Threads: any may call; each container is changed only by its own queue; readers see immutable snapshots.
/// Spec: Docker Engine API 1.50 (meaning, texts), DESIGN of the project for state and recovery.
@NullMarked
package carafe.engine;

import org.jspecify.annotations.NullMarked;
