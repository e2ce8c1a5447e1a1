package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.docker.Filters;
import java.io.InputStream;
import java.util.List;

/// The images containers are made from. A `name` is a reference, an id, or a unique prefix of one.
public interface ImageCatalog {

    /// Reads a docker-archive or an OCI layout to its end and adds its images, all or none.
    void load(InputStream archive, LoadListener listener) throws EngineException;

    /// All about one image. NotFound: `No such image: x:tag`.
    ImageDetails inspect(String name) throws EngineException;

    /// The images that match, newest first. Filters: dangling, label, before, since, until, reference.
    List<ImageSummary> list(Filters filters) throws EngineException;

    /// Gives an image a further name; an empty `tag` is `latest`.
    void tag(String source, String repository, String tag) throws EngineException;

    /// Takes a name away, and the image with its last name; `force` also takes it from stopped containers.
    List<ImageRemoval> remove(String name, boolean force) throws EngineException;

    /// How it was made.
    List<ImageHistory> history(String name) throws EngineException;

    /// Bytes of all layers on disk, each once.
    long layerBytes() throws EngineException;
}
