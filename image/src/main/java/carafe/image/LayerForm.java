package carafe.image;

import carafe.kernel.ImageMount;

/// How layers are kept, the best form first.
enum LayerForm {
    /// A file that the kernel mounts as it is.
    FILE,
    /// A file that is mounted through a loop device.
    LOOP,
    /// A directory, with the tar beside it.
    DIRECTORY;

    static LayerForm of(ImageMount.Way way) {
        return switch (way) {
            case FILE -> FILE;
            case LOOP -> LOOP;
        };
    }
}
