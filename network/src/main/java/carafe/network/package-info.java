/// Networks of containers: which addresses they have, the bridges and links that carry them, the namespaces they live in.
/// Entry: [Fabric]; what it is told of is a [Network] and a [Joining], what it answers is a [Sandbox] of [Endpoint]s.
/// Never knows: containers (only their ids), Docker's messages, the database. Whoever owns the rows hands them in.
/// Threads: any; calls block on the kernel for about a millisecond, so run them on virtual threads. Namespaces are made by
/// one platform thread of its own. Spec: rtnetlink(7), RFC 4632; Docker's network options where they mean something.
///
/// What exists in the kernel is written below the run root, one file per container, before it is made, and every link
/// carries the engine's mark: a crash at any step leaves nothing that the next start does not find. Links die at a reboot, and so
/// do the files. Packet filter rules are another's: [Firewall] says what is needed, as data. Published ports and names
/// learn of endpoints as [EndpointListener].
@NullMarked
package carafe.network;

import org.jspecify.annotations.NullMarked;
