/// The nouns every room shares: error kinds, JSON documents, references and digests; and two helpers without a room of
/// their own, [Failpoints] for tests and [Later] for what is put off.
/// Entry: [EngineException], [Json]. Sub-packages hold the OCI documents (`oci`) and Docker's API messages (`docker`).
/// Never knows: files, sockets, processes; there is no I/O here beyond streams handed in.
/// Threads: any; everything is immutable but the two helpers, which any thread may use at the same time.
/// Spec: OCI image-spec 1.1, runtime-spec 1.2, Docker Engine API 1.50, RFC 8259.
@NullMarked
package carafe.spec;

import org.jspecify.annotations.NullMarked;
