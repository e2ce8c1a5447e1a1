/// Measures engines behind Docker's API side by side: one run, engines alternating, raw samples kept.
/// Entry: [Main]; what is measured is one method each in [Rows].
/// Never knows: a room of the engine; it speaks HTTP over a socket and starts processes, as any client does.
/// Threads: the main thread measures; rows that ask for parallel clients start their own.
/// Spec: the table of PERFORMANCE figures; a lone time is never quoted, ratios of one run are.
@NullMarked
package carafe.bench;

import org.jspecify.annotations.NullMarked;
