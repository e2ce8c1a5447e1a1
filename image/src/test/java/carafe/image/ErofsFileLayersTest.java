package carafe.image;

class ErofsFileLayersTest extends LayerStoreContract {

    ErofsFileLayersTest() {
        super(UnpackedLayer.Form.FILE);
    }
}
