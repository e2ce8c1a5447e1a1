package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.nio.file.Path;

/// The image `hello-world` that ships inside: one static program that says what just happened to it. Made from the
/// program file at the daemon's start, the same bytes always giving the same id.
public final class HelloWorld {

    private HelloWorld() {}

    /// Sees to it that `hello-world:latest` is the image of the program at `binary`, unless the user gave that name to
    /// an image of his own. Cheap when already so. Call once after [Images#open].
    /// @return the id of the image that `hello-world:latest` names now
    public static Digest ensure(Images images, Path binary) throws EngineException {
        throw new UnsupportedOperationException();
    }
}
