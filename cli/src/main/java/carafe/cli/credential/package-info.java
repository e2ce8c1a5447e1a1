/// The caller's credentials for registries: in `config.json`, or kept by helper programs.
/// Entry type: [Credentials].
/// Never knows: the engine, flags, which command asks. Never prints a secret.
/// Runs on its caller's thread; helpers are waited for.
/// Spec: docker login(1), "Credential stores" and "Credential helper protocol".
@NullMarked
package carafe.cli.credential;

import org.jspecify.annotations.NullMarked;
