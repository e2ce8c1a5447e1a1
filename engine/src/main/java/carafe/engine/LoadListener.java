package carafe.engine;

/// Hears how a load goes on; one call at a time, and a slow listener slows the load.
public interface LoadListener {

    /// So many of the bytes of a layer (twelve characters of its digest) are unpacked.
    void layer(String id, long doneBytes, long totalBytes);

    /// A sentence for people: `Loaded image: x:tag`, `Loaded image ID: sha256:…`, or that a name moved.
    void message(String sentence);
}
