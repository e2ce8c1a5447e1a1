package carafe.http;

import java.nio.file.Path;
import java.util.Optional;

/// The PEM files of `--tlscacert`, `--tlscert`, `--tlskey`, and whether the other side must prove itself by a
/// certificate of the authority (`--tlsverify`). A server needs `cert` and `key`, and `ca` too when it verifies; a
/// client that verifies without `ca` trusts the system's authorities.
public record TlsFiles(Optional<Path> ca, Optional<Path> cert, Optional<Path> key, boolean verify) {}
