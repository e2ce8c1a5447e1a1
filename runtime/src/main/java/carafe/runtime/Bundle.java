package carafe.runtime;

import carafe.spec.oci.RootfsPlan;
import carafe.spec.oci.RuntimeSpec;
import java.nio.file.Path;

/// All that one start needs. `runDir` (short: a unix socket is bound in it) holds what lives as long as the running
/// container: socket, exit record, timings; it is created with its parents if missing. `containerDir` holds what lives
/// as long as the container object: its log. `user` overrides the numbers in the process, resolved in the image.
public record Bundle(
        String id,
        RuntimeSpec spec,
        RootfsPlan rootfs,
        Path runDir,
        Path containerDir,
        UserRequest user,
        Stdio stdio,
        LogOptions log) {

    public Bundle {
        if (id.isEmpty() || !runDir.isAbsolute() || !containerDir.isAbsolute()) {
            throw new IllegalArgumentException("a bundle needs an id and absolute directories: " + id);
        }
    }
}
