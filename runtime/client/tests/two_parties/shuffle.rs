//! Elements of a tile in an order that the client does not know.

use std::collections::BTreeSet;

use he_ir::ClientFunction;

use crate::networks::{Network, numbers};
use crate::party::{RELU, SHUFFLED, SHUFFLED_TILE, SHUFFLED_WIDTH, Setup};
use crate::results::largest_error;
use crate::watcher::Watcher;

const IMAGES: usize = 8;

/// The hidden elements of a network by the order in which the client is shown them, tile after tile: the same images, twice.
async fn orders(watcher: &Watcher, model: &str, network: &Network) -> [Vec<Vec<usize>>; 2] {
    let model = watcher.client.describe(model).await.unwrap();
    let x = numbers(6 * IMAGES, 21);
    let hidden: Vec<Vec<f64>> = x.chunks(6).map(|image| network.hidden(image)).collect();
    // Whose numbers these are, in every image.
    let element = |row: &Vec<f64>| {
        let is = |&e: &usize| row.iter().zip(&hidden).all(|(found, hidden)| (found - hidden[e]).abs() < 5e-3);
        let of: Vec<usize> = (0..hidden[0].len()).filter(is).collect();
        assert_eq!(of.len(), 1, "{row:?}");
        of[0]
    };
    let mut orders = [Vec::new(), Vec::new()];
    for order in &mut orders {
        let (found, shown) = watcher.infer(&model, &x).await;
        let error = largest_error(&found, &network.evaluate(&x));
        assert!(error < 5e-3, "largest error {error}");
        *order = shown.iter().map(|tile| tile.rows.iter().map(element).collect()).collect();
    }
    orders
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_drawn_for_every_tile_of_every_inference() {
    let party = Setup { tls: false, ..Setup::new() }.start();
    let watcher = Watcher::start(&party).await;
    let plain: Vec<usize> = (0..SHUFFLED_TILE).collect();
    let mut drawn = BTreeSet::from([plain.clone()]);
    for tiles in orders(&watcher, SHUFFLED, &Network::wide(SHUFFLED_WIDTH)).await {
        assert_eq!(tiles.len(), 2);
        for (tile, order) in tiles.iter().enumerate() {
            let order: Vec<usize> = order.iter().map(|element| element - tile * SHUFFLED_TILE).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, plain);
            drawn.insert(order);
        }
    }
    // The model's and four others: two orders of twelve are the same once in 479001600 times.
    assert_eq!(drawn.len(), 5, "{drawn:?}");

    let relu = Network::with(ClientFunction::Relu);
    assert_eq!(orders(&watcher, RELU, &relu).await, [[[0, 1, 2, 3]], [[0, 1, 2, 3]]]);
}
