"""The same networks on OpenCV's own engine, with one thread. Argument: the plan, as JSON."""

import json
import sys
import time

import cv2
import numpy


def prepare(model):
    """A network with what turns pixels into its input."""
    net = cv2.dnn.readNetFromONNX(model["file"])
    return net, net.getUnconnectedOutLayersNames(), model["input"], model["runs"]


def assess(data, picture, models):
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    for region, (net, outputs, shape, runs) in zip(picture["regions"], models):
        x, y, width, height = (region[side] for side in ("x", "y", "width", "height"))
        part = image[y : y + height, x : x + width]
        grey = shape["colour"] == "grey"
        blob = cv2.dnn.blobFromImage(
            cv2.cvtColor(part, cv2.COLOR_BGR2GRAY) if grey else part,
            1 / shape["scale"],
            (shape["width"], shape["height"]),
            (shape["mean"],) * 3,
            swapRB=shape["colour"] == "rgb",
        )
        for run in range(runs):
            net.setInput(blob if run == 0 else numpy.ascontiguousarray(blob[..., ::-1]))
            net.forward(outputs)


def tell(message):
    print(json.dumps(message), flush=True)


def main():
    cv2.setNumThreads(1)
    models = [prepare(model) for model in json.loads(sys.argv[1])]
    files = {}
    tell({"ready": True, "version": cv2.__version__})
    for line in sys.stdin:
        order = json.loads(line)
        for picture in order["pictures"]:
            path = picture["path"]
            if path not in files:
                files[path] = numpy.fromfile(path, dtype=numpy.uint8)
        for picture in order["pictures"]:
            assess(files[picture["path"]], picture, models)
        images = 0
        start = time.process_time()
        for _ in range(order["times"]):
            for picture in order["pictures"]:
                assess(files[picture["path"]], picture, models)
                images += 1
        tell({"cpuMs": 1000 * (time.process_time() - start), "images": images, "answers": []})


main()
