/// From the flags of `run` and `create` to the document of POST /containers/create.
/// Entry types: [ContainerFlags], which a command accepts, and [CreateRequest], which it sends.
/// Never knows: the engine, its answers, the terminal; of files only those that flags name.
/// Runs on the thread of the command; nothing is shared.
/// Spec: Docker Engine API 1.50, ContainerCreate; the flags of `docker run` 28.2.
@NullMarked
package carafe.cli.create;

import org.jspecify.annotations.NullMarked;
