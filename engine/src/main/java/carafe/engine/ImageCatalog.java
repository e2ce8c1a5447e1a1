package carafe.engine;

import carafe.engine.transfer.ReferrerList;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.docker.Filters;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/// The images containers are made from. A `name` is a reference, an id, or a unique prefix of one.
public interface ImageCatalog {

    /// Reads a docker-archive or an OCI layout to its end and adds its images, all or none; those for `platform` only
    /// if one is said.
    void load(InputStream archive, Optional<Platform> platform, LoadListener listener) throws EngineException;

    /// All about one image or artifact; of images that share a name the one for `platform`, for this machine if none is
    /// said. NotFound: `No such image: x:tag`.
    ImageDetails inspect(String name, Optional<Platform> platform) throws EngineException;

    /// The images that match, newest first, then the artifacts; not those without a name that their subject keeps.
    /// Filters: dangling, label, before, since, until, reference.
    List<ImageSummary> list(Filters filters) throws EngineException;

    /// The manifests behind the names of the image with this id, its own first; those of other platforms that are not here
    /// are among them. None of an artifact.
    List<ImageManifest> manifests(Digest id) throws EngineException;

    /// The artifacts here that refer to an image or artifact, and those that refer to these, in that order.
    ReferrerList referrers(String name) throws EngineException;

    /// Gives an image a further name; an empty `tag` is `latest`.
    void tag(String source, String repository, String tag) throws EngineException;

    /// Takes a name away, and the image with its last name; `force` also takes it from stopped containers.
    List<ImageRemoval> remove(String name, boolean force) throws EngineException;

    /// How it was made.
    List<ImageHistory> history(String name) throws EngineException;

    /// Bytes of all layers on disk, each once.
    long layerBytes() throws EngineException;

    /// An archive of images under the names given: a repository's name means all its tags. Images that share a name go
    /// together, with their index; of them only the one for `platform` if one is said.
    Download save(List<String> names, Optional<Platform> platform) throws EngineException;

    /// An archive of what a build made, whatever it is called here.
    /// @throws EngineException.Invalid the images need an index and have none, or it is none
    /// @throws EngineException.NotFound an image is not here any more
    MadeDownload save(BuiltArchive built) throws EngineException;

    /// The files of an image, and nothing beside them, as a tar.
    Download files(String image) throws EngineException;

    /// Makes an image of one layer, the files in `tar` or, where the request names a URL, in what lies there; answers its
    /// id (`sha256:…`).
    String importRoot(InputStream tar, ImportRequest request) throws EngineException;

    /// Makes an image of a container's files; answers its id (`sha256:…`).
    String commit(CommitRequest request) throws EngineException, InterruptedException;

    /// Removes images that nothing uses. Filters: dangling, label, label!, until, unused-for.
    ImagePrune prune(Filters filters) throws EngineException;

    /// How many bytes of each image its layers share with other images, and of all layers of images and containers, each
    /// once; [Builds#cache] has the rest.
    DiskUsage usage(List<ContainerSummary> containers) throws EngineException;

    /// Verifies all blobs and layers. With `repair`, damage is repaired from what is here, then from `archive`, one that
    /// `load` would take, then from the registries that the images came from; `auth` is for one of them.
    CheckResult check(boolean repair, Optional<InputStream> archive, AuthConfig auth) throws EngineException;
}
