package carafe.image;

import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;

/// Hears how a load goes on. Calls come from several threads, one at a time; a slow listener slows the load.
public interface LoadProgress {

    /// Hears nothing.
    LoadProgress SILENT = new LoadProgress() {
        @Override
        public void layer(String name, long doneBytes, long totalBytes) {}

        @Override
        public void renamed(Reference name, Digest oldId) {}
    };

    /// `doneBytes` of the archive's member `name` (the first twelve characters of its digest, where it is known) are
    /// unpacked; the last call has `doneBytes` equal to `totalBytes`.
    void layer(String name, long doneBytes, long totalBytes);

    /// `name` belonged to the image `oldId` and now names another one.
    void renamed(Reference name, Digest oldId);
}
