/// Patterns that leave files out: `.dockerignore`, and `--exclude` of COPY and ADD.
/// Entry: [IgnorePatterns]; [PathPattern] is one pattern, also for wildcards in sources.
/// Never knows: files, contexts. Pure; matching is linear in path times pattern, whatever a hostile pattern holds.
/// Threads: any; all is immutable.
/// Spec: Docker's build context documentation; how moby's pattern matcher reads `**`, `!` and parents.
@NullMarked
package carafe.build.ignore;

import org.jspecify.annotations.NullMarked;
