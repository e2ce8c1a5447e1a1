package carafe.image;

class HostileErofsLoopLayersTest extends HostileLayerContract {

    HostileErofsLoopLayersTest() {
        super(UnpackedLayer.Form.LOOP);
    }
}
