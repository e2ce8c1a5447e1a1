package carafe.image;

import java.util.List;
import java.util.Optional;

/// All that a name means, made ready to be sent: one image, or those of several platforms with their index, this machine's
/// first. To be closed.
public record OutgoingImages(List<Outgoing> images, Optional<SharedIndex> index) implements AutoCloseable {

    public OutgoingImages {
        images = List.copyOf(images);
    }

    @Override
    public void close() {
        images.forEach(Outgoing::close);
    }
}
