/// Where a build's files come from beyond its context: the web, git repositories, contexts by name.
/// Entry: [Remotes], the port that the engine implements; [Contexts], everything that was sent or fetched for one build.
/// Never knows: how the web is spoken to, how git is run, steps, the cache.
/// Threads: any; calls block on disk and network, an interrupt ends them.
/// Spec: Dockerfile reference, "Adding files from a URL" and "from a Git repository"; SECURITY R1, R10, R11.
@NullMarked
package carafe.build.source;

import org.jspecify.annotations.NullMarked;
