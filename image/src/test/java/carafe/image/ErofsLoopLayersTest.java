package carafe.image;

class ErofsLoopLayersTest extends LayerStoreContract {

    ErofsLoopLayersTest() {
        super(UnpackedLayer.Form.LOOP);
    }
}
