package carafe.engine.transfer;

import carafe.registry.Repository;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.util.List;
import java.util.Optional;

/// The engine's dealings with registries. Every method blocks; interrupting its thread cancels it.
public interface ImageTransfers {

    /// Fetches an image, or all tags of one. Layers come in parallel; what is here is not fetched.
    void pull(PullRequest request, TransferListener listener) throws EngineException, InterruptedException;

    /// Sends an image, or all its tags. What the registry has is not sent.
    void push(PushRequest request, TransferListener listener) throws EngineException, InterruptedException;

    /// Whether a registry accepts the credentials.
    Login login(AuthConfig auth) throws EngineException, InterruptedException;

    /// Repositories that match a term.
    List<Found> search(String term, int limit, AuthConfig auth) throws EngineException, InterruptedException;

    /// What a name means at its registry, and for which platforms there are images.
    Inspection inspect(Reference name, AuthConfig auth) throws EngineException, InterruptedException;

    /// The tags a repository has at its registry.
    List<String> tags(Reference name, AuthConfig auth) throws EngineException, InterruptedException;

    /// What refers to the image or artifact that a name means at its registry, to this platform's manifest of it and to
    /// what refers to these, in that order.
    ReferrerList referrers(Reference name, AuthConfig auth) throws EngineException, InterruptedException;

    /// The manifest or index that a name means at its registry.
    RemoteDocument document(Reference name, AuthConfig auth) throws EngineException, InterruptedException;

    /// The whole of a small blob of a repository, such as an image's configuration.
    byte[] blob(Reference name, Descriptor blob, AuthConfig auth) throws EngineException, InterruptedException;

    /// Gives a blob of a repository to `taker`, who is asked again when a mirror sent the bytes that he refuses.
    void take(Reference name, Descriptor blob, AuthConfig auth, Repository.BlobTaker taker)
            throws EngineException, InterruptedException;

    /// Gives a manifest or index to a registry under a name. Manifests that an index lists and that lie in other
    /// repositories of the same registry are brought along.
    Descriptor put(Reference name, RemoteDocument document, List<Reference> parts, AuthConfig auth)
            throws EngineException, InterruptedException;

    /// Copies an image with all its platforms between registries; nothing is kept here.
    Descriptor copy(Place source, Place target, TransferListener listener) throws EngineException, InterruptedException;

    /// What came of a login.
    sealed interface Login {

        /// The registry accepts the credentials; `identityToken` is to be kept in place of the password, if not empty.
        record Accepted(String identityToken) implements Login {}

        /// It does not.
        record Refused(String sentence) implements Login {}
    }

    /// One repository that a search found.
    record Found(String name, String description, long stars, boolean official, boolean automated) {}

    /// A manifest or index, byte for byte.
    record RemoteDocument(String mediaType, byte[] bytes) {}

    /// A name at a registry, and who asks there.
    record Place(Reference name, AuthConfig auth) {}

    /// What `distribution inspect` tells.
    record Inspection(Descriptor descriptor, List<Platform> platforms) {}

    /// The registries as configured, for `info`.
    Configured configured();

    /// What the owner said: mirrors of the hub, hosts without proof.
    record Configured(List<String> mirrors, List<String> insecure) {}

    /// How many layers come, and go, at a time over all transfers.
    record Limits(int downloads, int uploads) {

        /// As Docker's.
        public static final Limits USUAL = new Limits(3, 5);

        /// At least one each.
        public Limits {
            if (downloads < 1 || uploads < 1) {
                throw new IllegalArgumentException("nothing could be transferred");
            }
        }
    }

    /// Who hears of what a transfer did to this engine's images.
    interface Observer {

        /// Names mean other images now.
        void namesChanged();

        /// `action` (pull, push) happened to the image that `name` means.
        void happened(String action, String name, Optional<String> imageId);
    }
}
