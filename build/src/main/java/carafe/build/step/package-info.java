/// How one step is done: files selected and copied into a layer, a program run on a snapshot and its layer taken.
/// Entry: [CopyStep], [RunStep], [DirectoryStep]; the port [StepRunner], which the engine implements over its runtime.
/// Never knows: Dockerfiles, order of steps, the cache.
/// Threads: any; calls block on disk and on programs, so run them on virtual threads; an interrupt ends a running step.
/// Spec: SECURITY R1 (all paths by descriptors in their root), R2; Dockerfile reference for what is copied where.
@NullMarked
package carafe.build.step;

import org.jspecify.annotations.NullMarked;
