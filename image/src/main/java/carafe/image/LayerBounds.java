package carafe.image;

import carafe.spec.tar.UnpackBounds;

/// What a layer may hold: bytes as [UnpackBounds] say, and members.
record LayerBounds(UnpackBounds stream, long maxEntries) {

    static final LayerBounds DEFAULT = new LayerBounds(UnpackBounds.DEFAULT, 2_000_000);
}
