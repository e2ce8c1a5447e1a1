package carafe.image;

/// What a layer may hold: bytes as [LayerStream.Bounds] say, and members.
record LayerBounds(LayerStream.Bounds stream, long maxEntries) {

    static final LayerBounds DEFAULT = new LayerBounds(LayerStream.Bounds.DEFAULT, 2_000_000);
}
