package carafe.image;

class DirectoryLayersTest extends LayerStoreContract {

    DirectoryLayersTest() {
        super(UnpackedLayer.Form.DIRECTORY);
    }
}
