fn main() {
    println!("{}", renamed::line());
}
