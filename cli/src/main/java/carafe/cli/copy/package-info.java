/// The command's side of `cp`: local files into a tar and out of one, and which name lands where.
/// Entry: [CopyPlan] decides; [LocalPacker] and [LocalUnpacker] do.
/// Never knows: engines, HTTP. It touches the caller's files with the caller's rights and nothing else.
/// Threads: the command's own, and one that packs while the engine reads.
/// Spec: Docker's `cp` (docker container cp). A tar from an engine is not trusted: a container may have written it.
@NullMarked
package carafe.cli.copy;

import org.jspecify.annotations.NullMarked;
