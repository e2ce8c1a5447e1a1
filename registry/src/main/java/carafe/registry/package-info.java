/// The client of image registries: resolve, fetch, push, log in, search, through mirrors and proxies.
///
/// Entry type: [Registries]; a [Repository] is one image repository seen with one caller's credentials.
/// It must never know what an engine does with an image, where blobs are kept, or who asked.
/// Everything blocks on the caller's thread and ends when it is interrupted; every wait has a limit.
/// Spec: OCI distribution-spec 1.1; token authentication as distribution/distribution describes it.
@NullMarked
package carafe.registry;

import org.jspecify.annotations.NullMarked;
