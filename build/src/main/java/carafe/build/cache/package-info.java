/// The cache of builds outside of its engine: an image whose configuration holds a document of steps and cache mounts.
/// Entry: [CacheDocument], what is written and read; [CacheImage], one that somebody named.
/// Never knows: how steps are solved, where images come from.
/// Threads: values, for any.
/// Spec: docs/adr/0035; OCI image-spec, config.md (fields of one's own); SECURITY R6, R7.
@NullMarked
package carafe.build.cache;

import org.jspecify.annotations.NullMarked;
