/// Asks an engine over Docker's API: where it is, which version it speaks, what its errors say.
/// Entry type: [Engine], made from an [Endpoint].
/// Never knows: commands, flags, terminals, how answers are shown.
/// Any thread; every call blocks until the engine answers.
/// Spec: Docker Engine API 1.41 to 1.50; DESIGN §9 for where an engine is looked for.
@NullMarked
package carafe.cli.client;

import org.jspecify.annotations.NullMarked;
