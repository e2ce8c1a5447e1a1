package carafe.daemon;

import carafe.hub.HubConfig;
import carafe.hub.upstream.Upstream;
import carafe.registry.Registries;
import carafe.registry.RegistryConfig;
import carafe.registry.Repository;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/// The hub's port to another registry, over the registry client: it brings deadlines, retries, tokens and resumed blobs.
final class RegistryUpstream implements Upstream {

    private final Registries registries;
    private final String registry;
    private final AuthConfig auth;

    private RegistryUpstream(Registries registries, String registry, AuthConfig auth) {
        this.registries = registries;
        this.registry = registry;
        this.auth = auth;
    }

    /// Connects to what `mirrored` names when first asked.
    /// @throws EngineException.Invalid its password cannot be read
    static Upstream dial(HubConfig.Mirrored mirrored, String agent) throws EngineException.Invalid {
        var plain = RegistryConfig.plain(agent);
        var config = new RegistryConfig(mirrored.insecure() ? List.of(mirrored.registry()) : List.of(), plain.mirrors(),
                plain.hub(), plain.certificates(), plain.proxies(), plain.patience(), agent);
        try {
            var auth = mirrored.user().isEmpty() || mirrored.passwordFile().isEmpty()
                    ? AuthConfig.NONE
                    : AuthConfig.password(mirrored.user().get(),
                            Files.readString(mirrored.passwordFile().get()).strip(), mirrored.registry());
            return new RegistryUpstream(new Registries(config, Clock.systemUTC()), mirrored.registry(), auth);
        } catch (IOException e) {
            throw new EngineException.Invalid("the password for " + mirrored.registry() + " cannot be read: "
                    + PidFile.reason(e));
        }
    }

    /// A question to the client.
    @FunctionalInterface
    private interface Question<T> {
        T ask(Repository repository) throws EngineException, InterruptedException;
    }

    private <T> T ask(String path, Question<T> question) throws IOException {
        try {
            var name = new Reference(registry, path, Optional.empty(), Optional.empty());
            return question.ask(registries.repository(name, auth));
        } catch (EngineException e) {
            throw new IOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while asking " + registry);
        }
    }

    @Override
    public Optional<Digest> resolve(String path, String tag) throws IOException {
        return ask(path, repository -> repository.head(tag).map(Descriptor::digest));
    }

    @Override
    public Optional<Found> manifest(String path, String reference) throws IOException {
        return ask(path, repository -> {
            try {
                var document = repository.fetch(reference);
                return Optional.of(new Found(document.bytes(), document.descriptor().mediaType()));
            } catch (EngineException.NotFound e) {
                return Optional.empty();
            }
        });
    }

    @Override
    public InputStream blob(String path, Descriptor blob) throws IOException {
        return ask(path, repository -> repository.open(blob));
    }
}
